/* The verb seccomp. See README.md, "Seccomp rules". */
#ifndef TSMAN_SECCOMP_H
#define TSMAN_SECCOMP_H

int seccomp_main(const char *rules, const char *output);

#endif
