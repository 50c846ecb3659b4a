/* `tsman`: starts the JavaScript program `tsman-js` beside it with one setting.
 *
 * JavaScriptCore compiles a function after some 33 calls. A command of ours runs for 5 to 15 ms, and
 * the compiler's thread, its code and its memory cost a third of that; work that takes long reaches
 * the higher threshold as well. The engine takes such settings from the environment only, before its
 * start; src/main.ts removes it. No C library: this costs each command 0.1 ms. */
#include <stddef.h>

#define SETTING "BUN_JSC_thresholdForJITAfterWarmUp=20000"
#define PROGRAM "tsman-js"
enum { EXIT_FAILED = 125, PATH_SIZE = 4096 };

#if defined(__x86_64__)
enum { SYS_WRITE = 1, SYS_EXECVE = 59, SYS_EXIT = 60, SYS_READLINKAT = 267 };

static long syscall4(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall launch\n");
#elif defined(__aarch64__)
enum { SYS_WRITE = 64, SYS_READLINKAT = 78, SYS_EXIT = 93, SYS_EXECVE = 221 };

static long syscall4(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl launch\n");
#else
#error "no system calls known for this processor"
#endif

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length] != '\0')
		length++;
	return length;
}

static _Noreturn void fail(const char *path, const char *why)
{
	const char *const parts[] = { "Error: run ", path, why };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		syscall4(SYS_WRITE, 2, (long)parts[i], (long)length_of(parts[i]), 0);
	for (;;)
		syscall4(SYS_EXIT, EXIT_FAILED, 0, 0, 0);
}

/* `tsman-js` in the directory of our own file, whatever links led here. */
static void find_program(char path[PATH_SIZE])
{
	const char self[] = "/proc/self/exe";
	const size_t room = PATH_SIZE - sizeof PROGRAM;
	long length = syscall4(SYS_READLINKAT, -1, (long)self, (long)path, (long)room);

	if (length <= 0 || (size_t)length >= room)
		fail(self, ": cannot be read; is /proc mounted?\n");
	while (length > 0 && path[length - 1] != '/')
		length--;
	for (size_t i = 0; i < sizeof PROGRAM; i++)
		path[(size_t)length + i] = PROGRAM[i];
}

/* The kernel's first words on the stack: argc, argv, NULL, environment, NULL (System V ABI). */
_Noreturn void launch(char **stack);

_Noreturn void launch(char **stack)
{
	char path[PATH_SIZE];
	char **arguments = stack + 1;
	char **environment = arguments;
	size_t count = 0;

	find_program(path);
	while (*environment != NULL)
		environment++;
	environment++;
	while (environment[count] != NULL)
		count++;

	char *longer[count + 2];

	for (size_t i = 0; i < count; i++)
		longer[i] = environment[i];
	longer[count] = (char[]){ SETTING };
	longer[count + 1] = NULL;
	syscall4(SYS_EXECVE, (long)path, (long)arguments, (long)longer, 0);
	fail(path, ": it must be beside tsman and executable\n");
}
