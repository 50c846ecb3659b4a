#include "idle.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>

/* Put there by the linker: the program's first byte. */
extern const ElfW(Ehdr) __ehdr_start;

void idle_release_program(void)
{
	uintptr_t start = (uintptr_t)&__ehdr_start;
	const ElfW(Phdr) *segments = (const void *)(start + __ehdr_start.e_phoff);
	uintptr_t base = start;

	/* Addresses in the file count from the first segment, wherever that was loaded. */
	for (int i = 0; i < __ehdr_start.e_phnum; i++)
		if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
			base = start - segments[i].p_vaddr;
	for (int i = 0; i < __ehdr_start.e_phnum; i++) {
		uintptr_t from = base + segments[i].p_vaddr;
		uintptr_t to = from + segments[i].p_memsz;

		/* A written page would lose what was written: only what nobody can write. */
		if (segments[i].p_type != PT_LOAD || (segments[i].p_flags & PF_W))
			continue;
		from &= ~(uintptr_t)4095;
		madvise((void *)from, to - from, MADV_DONTNEED);
	}
}
