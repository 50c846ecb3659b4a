/* The program of the image `hello`: says that a container runs, and what it sees of itself.
 *
 * No C library: its image must be tiny, and it must run whatever else is broken. Text is gathered
 * in one buffer and written at once, so that it comes out whole whatever reads it. */
#include <stddef.h>

#if defined(__x86_64__)
enum { SYS_WRITE = 1, SYS_GETPID = 39, SYS_EXIT = 60, SYS_GETUID = 102, SYS_GETGID = 104 };

static long syscall3(long number, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall hello\n");
#elif defined(__aarch64__)
enum { SYS_WRITE = 64, SYS_EXIT = 93, SYS_GETPID = 172, SYS_GETUID = 174, SYS_GETGID = 176 };

static long syscall3(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}

__asm__(".globl _start\n_start:\n\tmov x0, sp\n\tbl hello\n");
#else
#error "no system calls known for this processor"
#endif

static char text[4096];
static size_t text_length;

static void say(const char *words)
{
	while (*words != '\0' && text_length < sizeof text)
		text[text_length++] = *words++;
}

static void say_number(long number)
{
	char digits[24];
	size_t at = sizeof digits - 1;

	digits[at] = '\0';
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	say(digits + at);
}

static void say_facts(void)
{
	say("In here I am process ");
	say_number(syscall3(SYS_GETPID, 0, 0, 0));
	say(", user ");
	say_number(syscall3(SYS_GETUID, 0, 0, 0));
	say(", group ");
	say_number(syscall3(SYS_GETGID, 0, 0, 0));
	say(".\n");
}

static void say_arguments(long count, char **arguments)
{
	if (count < 2)
		return;
	say("You told me:");
	for (long i = 1; i < count; i++) {
		say(" ");
		say(arguments[i]);
	}
	say("\n");
}

/* What the kernel leaves on the stack: argc, then argv. */
__attribute__((used, noreturn)) void hello(long *stack)
{
	say("Hello from a container!\n"
	    "\n"
	    "It works: tsman took an image from its store, gave it namespaces and a root\n"
	    "file system of its own, and started this program. No daemon, no root.\n"
	    "\n");
	say_facts();
	say_arguments(stack[0], (char **)(stack + 1));
	say("\n"
	    "A next step, with a network:  tsman run -it --rm debian bash\n");
	for (size_t at = 0; at < text_length;) {
		long written = syscall3(SYS_WRITE, 1, (long)(text + at), (long)(text_length - at));

		if (written <= 0)
			break;
		at += (size_t)written;
	}
	for (;;)
		syscall3(SYS_EXIT, 0, 0, 0);
}
