# Grades a folder in shards, side by side on one machine or with a make that spreads its jobs:
#   make -f shards.mk -j4 -k FOLDER=submissions N=8 OPTIONS='--exercise imputation --roster roster.csv'
# What ends with 3 is tried again, up to three times in all; other failures are not. Give the same
# command again, and it goes on where it was.
GRADE ?= grade
N ?= 4
OUT ?= collected
PARTS ?= parts
SHARDS := $(shell seq $(N))

.PHONY: merge $(SHARDS)

merge: $(SHARDS)
	$(GRADE) collect --merge $(SHARDS:%=$(PARTS)/%) --out $(OUT)

$(SHARDS):
	@for try in 1 2 3; do \
		$(GRADE) collect $(FOLDER) $(OPTIONS) --shard $@/$(N) --out $(PARTS)/$@; code=$$?; \
		[ $$code -eq 3 ] || exit $$code; \
	done; exit 3
