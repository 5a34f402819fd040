# The candidate's image and one layer with the packages of one exercise. The build context is put
# together by grader/sandbox/images.py.
ARG CANDIDATE
FROM ${CANDIDATE} AS compiled
USER 0
COPY compile.py /compile.py
COPY site /added
RUN ["/usr/local/bin/sandbox-python", "/compile.py", "/added"]

FROM ${CANDIDATE} AS environment
COPY --from=compiled /added /opt/site
