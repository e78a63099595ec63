# The vDSO: a freestanding shared object, embedded by vdso_image.S.
VDSO_SRC := sentry/arch/x86_64/guest-code
VDSO_OUT := $(B)/sentry/arch/x86_64
VDSO_CFLAGS := -std=gnu17 -O2 -Wall -Wextra -Werror -Wno-unused-parameter -ffreestanding -fPIC -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=branch -fasynchronous-unwind-tables -fno-builtin

$(VDSO_OUT)/vdso.so: $(VDSO_SRC)/vdso.c $(VDSO_SRC)/note.S $(VDSO_SRC)/vdso.lds $(VDSO_SRC)/rules.mk sentry/arch/x86_64/vvar.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -c -o $(@D)/vdso_code.o $(VDSO_SRC)/vdso.c
	$(Q)$(CC) $(VDSO_CFLAGS) -c -o $(@D)/vdso_note.o $(VDSO_SRC)/note.S
	$(Q)ld -shared -soname linux-vdso.so.1 -Bsymbolic --hash-style=both --eh-frame-hdr --build-id=none -z noexecstack -z max-page-size=4096 \
		-T $(VDSO_SRC)/vdso.lds -o $@ $(@D)/vdso_code.o $(@D)/vdso_note.o
	$(Q)strip -S $@

$(VDSO_OUT)/vdso_image.o: $(VDSO_OUT)/vdso.so
