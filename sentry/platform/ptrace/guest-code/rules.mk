# The ptrace platform's stub: a freestanding static executable at a fixed
# address, embedded by stub_image.S.
PT_STUB_SRC := sentry/platform/ptrace/guest-code
PT_STUB_OUT := $(B)/sentry/platform/ptrace
PT_STUB_CFLAGS := -std=gnu17 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -static -fpie -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-builtin -fvisibility=hidden $(if $(findstring clang,$(CC)),-fdirect-access-external-data) -I$(PT_STUB_SRC)

$(PT_STUB_OUT)/stub.elf: $(PT_STUB_SRC)/entry.S $(PT_STUB_SRC)/zygote.c $(PT_STUB_SRC)/stub.lds.S $(PT_STUB_SRC)/stub.h $(PT_STUB_SRC)/rules.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -E -P -x assembler-with-cpp -I$(PT_STUB_SRC) -o $(@D)/stub.lds $(PT_STUB_SRC)/stub.lds.S
	$(Q)$(CC) $(PT_STUB_CFLAGS) -c -o $(@D)/stub_entry.o $(PT_STUB_SRC)/entry.S
	$(Q)$(CC) $(PT_STUB_CFLAGS) -c -o $(@D)/stub_zygote.o $(PT_STUB_SRC)/zygote.c
	$(Q)ld -static -z max-page-size=4096 --no-relax -z noexecstack --build-id=none -T $(@D)/stub.lds -o $@ $(@D)/stub_entry.o $(@D)/stub_zygote.o
	$(Q)strip $@

$(PT_STUB_OUT)/stub_image.o: $(PT_STUB_OUT)/stub.elf
