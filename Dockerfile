# Three images from one file: `candidate` runs hostile code, `judge` holds the hidden suite,
# `analyst` reads submissions as text. All are copied onto an empty image, so that they share no layer, no file and no page cache.
# The build context is put together by grader/sandbox/images.py: packages come from wheels that
# the host fetched by hash, because a build has no network.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS stripped
ARG PYTHON=3.13
LABEL takehome-grader.stage=build
COPY strip.sh compile.py locales.py /
RUN sh /strip.sh ${PYTHON} && sandbox-python /locales.py && rm /strip.sh /locales.py

FROM stripped AS candidate-tree
COPY site /opt/site
COPY site-notebook /opt/site
# Gradient-boosting wheels want the system's OpenMP library, which no slim image has. scikit-learn
# brings it under another name.
RUN sandbox-python /compile.py /opt/site && rm /compile.py \
    && ln -s "$(find /opt/site/scikit_learn.libs -name 'libgomp-*.so*')" /usr/lib/libgomp.so.1

FROM stripped AS candidate-code
COPY candidate /opt/sandbox
RUN sandbox-python /compile.py /opt/sandbox

FROM scratch AS candidate
COPY --from=candidate-tree / /
COPY --from=candidate-code /opt/sandbox /opt/sandbox

FROM stripped AS judge-tree
COPY site /opt/site
COPY site-judge /opt/site
RUN sandbox-python /compile.py /opt/site && rm /compile.py

FROM stripped AS judge-code
COPY judge /opt/sandbox
RUN sandbox-python /compile.py /opt/sandbox

FROM scratch AS judge
COPY --from=judge-tree / /
COPY --from=judge-code /opt/sandbox /opt/sandbox

FROM stripped AS analyst-tree
COPY site-analyst /opt/site
RUN sandbox-python /compile.py /opt/site && chmod 755 /opt/site/bin/ruff && rm /compile.py

FROM stripped AS analyst-code
COPY analyst /opt/sandbox
RUN sandbox-python /compile.py /opt/sandbox

FROM scratch AS analyst
COPY --from=analyst-tree / /
COPY --from=analyst-code /opt/sandbox /opt/sandbox
