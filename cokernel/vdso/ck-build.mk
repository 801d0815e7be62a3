$(OUT)/vdso.so: $(SRC)/cokernel/vdso/user/vdso.c $(SRC)/cokernel/vdso/user/vdso.lds $(SRC)/cokernel/vdso/data.h
	@mkdir -p $(@D)
	gcc -std=gnu11 -ffreestanding -fPIC -O2 -g0 -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fasynchronous-unwind-tables -Wall -Wextra -Werror -Wconversion $(CPP) -shared -nostdlib -Wl,-T,$(SRC)/cokernel/vdso/user/vdso.lds -Wl,--hash-style=both -Wl,-soname,linux-vdso.so.1 -Wl,--build-id=none -Wl,-Bsymbolic -Wl,-z,noexecstack -Wl,--eh-frame-hdr -Wl,-z,max-page-size=4096 -Wl,--no-undefined -s -o $@ $<
$(OUT)/obj/cokernel/vdso/image.S.o: CFLAGS += -Wa,-I$(OUT)
$(OUT)/obj/cokernel/vdso/image.S.o: $(OUT)/vdso.so
