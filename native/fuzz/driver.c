/* Drives a LLVMFuzzerTestOneInput without libFuzzer: mutated seeds for so many seconds.
 *
 *     fuzz-plan SECONDS [SEED-FILE...] */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces that random bytes would rarely hit on, for every target. */
static const char *const words[] = {
	"tsman-plan", "1", "0", "2", "end", "exec", "capabilities", "mount", "namespaces", "userns",
	"map", "none", "env", "A=B", "userns", "pivot", "run-dir", "/", "ro,rec", "user", "target",
	"web:x:1000:1000::/home:/bin/sh\n", "root:x:0:0:root:/root:/bin/sh\n", "extra:x:5:web,root\n",
	"4294967295", "4294967296", "18446744073709551615", "-1", ":", ",", "\n", "web", "x",
	"\3web", "\3dns\6podman", "\7in-addr\4arpa", "\00289", "\1a\1b\1c", "\3ip6\4arpa", "\xc0\x0c",
};

static size_t put_word(uint8_t *input, size_t size)
{
	const char *word = words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
	size_t length = strlen(word) + (size_t)(rand() % 4 != 0);

	if (size + length > INPUT_MAX)
		return size;
	memcpy(input + size, word, length);
	return size + length;
}

static size_t mutate(uint8_t *input, size_t size)
{
	size_t at = size == 0 ? 0 : (size_t)rand() % size;

	switch (rand() % 4) {
	case 0: return put_word(input, size);
	case 1: if (size > 0) input[at] = (uint8_t)rand(); return size;
	case 2: return at;
	default:
		if (size + 8 > INPUT_MAX)
			return size;
		memmove(input + at + 1, input + at, size - at);
		input[at] = (uint8_t)(rand() % 2 == 0 ? 0 : rand());
		return size + 1;
	}
}

static size_t seed(uint8_t *input, int argc, char **argv)
{
	FILE *file = argc > 2 ? fopen(argv[2 + rand() % (argc - 2)], "r") : NULL;
	size_t size = 0;

	if (file != NULL && rand() % 2 == 0) {
		size = fread(input, 1, INPUT_MAX, file);
	} else {
		for (int i = rand() % 40; i > 0; i--)
			size = put_word(input, size);
	}
	if (file != NULL)
		fclose(file);
	return size;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	unsigned long runs = 0;
	uint8_t input[INPUT_MAX];

	srand((unsigned int)end);
	for (; time(NULL) < end; runs++) {
		size_t size = seed(input, argc, argv);

		for (int i = rand() % 16; i > 0; i--)
			size = mutate(input, size);
		LLVMFuzzerTestOneInput(input, size);
	}
	printf("%s: %lu inputs, seed %u\n", argv[0], runs, (unsigned int)end);
	return 0;
}
