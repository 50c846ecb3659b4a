#!/bin/sh
# in-fresh-debian.sh ROOTFS PACKAGE...: installs the packages (.deb, .tgz, one file) in a machine that has only
# this root file system, and there runs a container as an ordinary user. Needs root.
set -eu
root=$1
shift
cp "$@" "$root/root/"
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/old"
cd "$root"
# Not chroot(2): in one nobody may make a user namespace.
pivot_root . run/old
umount -l /run/old
id ann >/dev/null 2>&1 || useradd --create-home --uid 1000 ann
grep -q ann /etc/subuid || usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann
cd /root
# The program is what is tested: `tsman` in PATH, nothing of the machine that made it.
as_ann() { su - ann -c "$1"; }
for package in *.deb *.tgz tsman-*-x64; do
	case $package in
	*.deb) dpkg --install "$package" >/dev/null ;;
	*.tgz)
		# What `npm install --global` does with a package that has no dependencies.
		mkdir -p /usr/local/lib/node_modules
		tar -xzf "$package" -C /usr/local/lib/node_modules --transform 's,^package,tsman,'
		ln -s ../lib/node_modules/tsman/bin/tsman /usr/local/bin/tsman
		echo "without its script: $(as_ann 'tsman --version')"
		/usr/local/lib/node_modules/tsman/settle
		test ! -e /usr/local/lib/node_modules/tsman/cpu
		;;
	tsman-*-x64)
		install -m 755 "$package" /usr/local/bin/tsman
		# At once, so that both unpack it.
		as_ann 'tsman --version & tsman --version; wait'
		as_ann 'ls -A ~/.local/share/tsman-program | grep -xE "[0-9a-f]{64}" | wc -l | sed "s/^/directories: /"'
		;;
	*) continue ;;
	esac
	echo "== $package: $(as_ann 'command -v tsman')"
	as_ann 'tsman doctor --quiet; tsman run --rm hello; tsman completion bash | wc -l'
	case $package in
	*.deb)
		test -e /usr/share/man/man1/tsman-run.1.gz || echo "(man pages are left out of this Debian)"
		test -f /usr/lib/systemd/user/tsman-restart.service
		dpkg --remove tsman >/dev/null
		;;
	*.tgz) rm -r /usr/local/lib/node_modules/tsman /usr/local/bin/tsman ;;
	*) rm /usr/local/bin/tsman ;;
	esac
	as_ann 'command -v tsman' && exit 1
	as_ann 'test -e ~/.local/share/tsman/db.sqlite && echo "data is left alone"'
done
