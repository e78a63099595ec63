# rules.mk - fuzz targets, part of GNUmakefile: `make fuzz SANITIZE=address,undefined`
#
# Each tests/fuzz/COMPONENT_*.c is one target with LLVMFuzzerTestOneInput and a
# corpus of its name. `fuzz` builds them with a plain driver, for any compiler;
# `libfuzzer` builds them with clang's (CC=clang-14 SANITIZE=address,undefined).
FUZZ_SRC := $(filter-out %/driver.c %/make_corpus.c,$(wildcard tests/fuzz/*.c))
FUZZ_BIN := $(patsubst %.c,$(B)/%,$(FUZZ_SRC))
.PHONY: fuzz libfuzzer corpus
fuzz: $(FUZZ_BIN)
$(FUZZ_BIN): %: %.o $(B)/tests/fuzz/driver.o $(LIBIPC)
	$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ipc)
libfuzzer: $(addsuffix .libfuzzer,$(FUZZ_BIN))
%.libfuzzer: %.o $(LIBIPC)
	$(CC) -pie $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(LIBS_ipc)
$(B)/tests/fuzz/make_corpus: %: %.o $(LIBIPC)
	$(CC) -pie $(LDFLAGS_ALL) -o $@ $^ $(LIBS_ipc)
corpus: $(B)/tests/fuzz/make_corpus
	$< tests/fuzz/corpus
