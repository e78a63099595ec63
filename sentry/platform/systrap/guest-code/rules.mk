# The systrap platform's stub: a freestanding static executable at a fixed
# address, embedded by stub_image.S.
ST_STUB_SRC := sentry/platform/systrap/guest-code
ST_STUB_OUT := $(B)/sentry/platform/systrap
ST_STUB_CFLAGS := -std=gnu17 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -static -fpie -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-builtin -fvisibility=hidden $(if $(findstring clang,$(CC)),-fdirect-access-external-data) -I$(ST_STUB_SRC)

$(ST_STUB_OUT)/stub.elf: $(ST_STUB_SRC)/entry.S $(ST_STUB_SRC)/patch.S $(ST_STUB_SRC)/answers.S $(ST_STUB_SRC)/names.S $(ST_STUB_SRC)/window.S $(ST_STUB_SRC)/lent.S $(ST_STUB_SRC)/zygote.c $(ST_STUB_SRC)/stub.lds.S $(ST_STUB_SRC)/stub.h $(ST_STUB_SRC)/rules.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -I$(ST_STUB_SRC) -o $(@D)/stub.lds $(ST_STUB_SRC)/stub.lds.S
	$(Q)$(CC) $(ST_STUB_CFLAGS) -c -o $(@D)/stub_entry.o $(ST_STUB_SRC)/entry.S
	$(Q)$(CC) $(ST_STUB_CFLAGS) -c -o $(@D)/stub_patch.o $(ST_STUB_SRC)/patch.S
	$(Q)$(CC) $(ST_STUB_CFLAGS) -c -o $(@D)/stub_zygote.o $(ST_STUB_SRC)/zygote.c
	$(Q)ld -static -z max-page-size=4096 --no-relax -z noexecstack --build-id=none -T $(@D)/stub.lds -o $@ $(@D)/stub_entry.o $(@D)/stub_patch.o $(@D)/stub_zygote.o
	$(Q)strip $@

$(ST_STUB_OUT)/stub_image.o: $(ST_STUB_OUT)/stub.elf
