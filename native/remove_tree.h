/* Deleting a directory tree that an enemy filled. */
#ifndef TSMAN_REMOVE_TREE_H
#define TSMAN_REMOVE_TREE_H

/* Remove `name` below the directory `parent` (or AT_FDCWD) and everything in it. Follows
 * no symbolic link, crosses no mount, needs the same memory however deep the tree is.
 * `name` may be a path; only its last part is taken as untrusted. Goes on after an
 * error and returns -1 with the first errno. ENOENT is success. Uses scratch. */
int remove_tree(int parent, const char *name);
/* The same for what is in the directory, which stays. */
int remove_contents(int directory);

#endif
