# shellcheck shell=sh disable=SC2034
# Sourced by the scripts: where things are, and how to become the unprivileged user.

# The user that runs containers and tests when a script was started as root.
test_user=tsman-test
# Where a copy goes when other users cannot reach the checkout.
installed=/usr/local/lib/tsman
# Things the tests make once per machine: the Debian image.
test_cache=/var/cache/tsman-test

case $(uname -m) in
x86_64) bun=node_modules/@oven/bun-linux-x64/bin/bun ;;
aarch64) bun=node_modules/@oven/bun-linux-aarch64/bin/bun ;;
*) echo "tsman: no Bun for $(uname -m)" >&2; exit 1 ;;
esac
export bun test_cache

is_root() {
	[ "$(id -u)" -eq 0 ]
}

# The user who will run containers: the caller, or the test user when the caller is root.
running_user() {
	if is_root; then echo "$test_user"; else id -un; fi
}

# Runs a command as that user, in an environment that depends on nothing of root's.
as_user() {
	if ! is_root; then
		"$@"
		return
	fi
	user_id=$(id -u "$test_user")
	for name in $(env | sed -n 's/^\(TSMAN_[A-Z_]*\|CI\|TERM\|LANG\|NO_COLOR\|[a-z]*_proxy\|[A-Z]*_PROXY\)=.*/\1/p'); do
		eval "set -- \"$name=\$$name\" \"\$@\""
	done
	setpriv --reuid "$test_user" --regid "$test_user" --init-groups --inh-caps=-all \
		env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin \
		HOME="$(getent passwd "$test_user" | cut -d: -f6)" USER="$test_user" LOGNAME="$test_user" \
		SHELL=/bin/bash XDG_RUNTIME_DIR="/run/user/$user_id" "$@"
}

# Whether that user can read the checkout and run what was built in it.
checkout_is_reachable() {
	# shellcheck disable=SC2016
	as_user sh -c 'cd "$1" && [ -x bin/tsman ] && [ -x bin/tsman-helper ] && [ -r package.json ] && [ -r src/main.ts ] && [ -x "$2" ]' \
		sh "$PWD" "$bun" 2>/dev/null
}
