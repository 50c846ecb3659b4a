/* Linked into the sanitized helper: it ends with its plan in memory, which is no leak. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
