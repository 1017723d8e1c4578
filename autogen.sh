#!/bin/sh
# Makes the configure script; with a word behind it, also installs, builds and runs. See usage.
set -eu
cd "$(dirname "$0")"

build_packages="autoconf automake pkg-config gcc make libc6-dev libetpan-dev libgpgme-dev
	libconfig-dev libsqlite3-dev libgnutls28-dev nettle-dev libjansson-dev libseccomp-dev"
demo_packages="gnupg gpg-agent python3"
check_packages="clang libclang-rt-14-dev libcmocka-dev gnutls-bin sqop rnp mutt faketime strace
	debian-keyring sqlite3 binutils procps dovecot-imapd systemd"
mail_server=postfix

usage() {
	cat <<'END'
./autogen.sh                make ./configure (autoreconf)
./autogen.sh check          install what is missing, build, run every test
./autogen.sh check NAME...  the same for the tests with these names, or whose names hold NAME
./autogen.sh demo           install what is missing, build, and show the main job on loopback
./autogen.sh help           this

Installing is done with apt-get, as root or through sudo, after saying what; where nothing is
missing apt is not called. check builds in ./build, ./build-clang and ./build-san.
END
}

say() { printf '%s\n' "== $*"; }

fail() {
	printf '%s\n' "autogen.sh: $*" >&2
	exit 1
}

# Has dpkg installed package $1?
installed() {
	case $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) in
	installed) return 0 ;;
	*) return 1 ;;
	esac
}

# Those of the packages named that are not installed.
missing() {
	for package in "$@"; do
		installed "$package" || printf '%s ' "$package"
	done
}

# Is there a mail server of any kind? Then ours for the tests must not replace it.
has_mail_server() {
	[ -x /usr/sbin/sendmail ] && return 0
	dpkg-query -W -f='${db:Status-Status} ${Provides}\n' 2>/dev/null |
		grep -q '^installed .*mail-transport-agent'
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# While packages install, services must not start: Debian asks this file. It is ours for as long
# as apt-get runs, and where the machine has one of its own that one stays.
policy=/usr/sbin/policy-rc.d

forbid_services() {
	policy_is_ours=no
	[ -e "$policy" ] && return 0
	trap 'allow_services' EXIT
	trap 'exit 130' INT TERM HUP
	policy_is_ours=yes
	printf '#!/bin/sh\n# Of an apt-get run by dewline, which removes it.\nexit 101\n' |
		as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
}

allow_services() {
	[ "$policy_is_ours" = yes ] || return 0
	policy_is_ours=no
	as_root rm -f "$policy"
}

# A server installed for the tests neither runs now nor after the next boot.
disable_services() {
	for service in "$@"; do
		if command -v systemctl >/dev/null; then
			as_root systemctl disable --now "$service" >/dev/null 2>&1 || true
		elif command -v update-rc.d >/dev/null; then
			as_root update-rc.d "$service" disable >/dev/null 2>&1 || true
		fi
	done
}

new_packages=no # then configure must look again

# Installs what is missing of the packages named.
install_missing() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "this is no Debian: these packages, or what matches them here, should be there:" "$@"
		return 0
	fi
	wanted=$(missing "$@")
	[ -n "$wanted" ] || return 0
	say "installing with apt-get: $wanted"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			fail "not root and no sudo; as root: apt-get install --no-install-recommends $wanted"
		say "as root, through sudo"
	fi
	services=
	case " $wanted " in *" postfix "*) services="postfix" ;; esac
	case " $wanted " in *" dovecot-imapd "*) services="$services dovecot.socket dovecot" ;; esac
	forbid_services
	as_root apt-get -qq -o DPkg::Lock::Timeout=300 update </dev/null
	case " $services " in
	*" postfix "*)
		# An answer given before the question: no configuration, so nothing that could run.
		echo "postfix postfix/main_mailer_type select No configuration" |
			as_root debconf-set-selections
		;;
	esac
	# shellcheck disable=SC2086 # a list of words
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
		-o DPkg::Lock::Timeout=300 install --no-install-recommends $wanted </dev/null
	# shellcheck disable=SC2086 # a list of words
	[ -z "$services" ] || disable_services $services
	allow_services
	new_packages=yes
}

# Runs a command with its output in a log, which is shown when the command fails.
quietly() {
	log=$1
	shift
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 60 "$log"
		return 1
	fi
}

jobs() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

make_configure() {
	# Made anew only when its sources are newer: a clone that others use stays as it is.
	for source in configure.ac Makefile.am autogen.sh src/*/local.mk tests/local.mk; do
		if [ ! -e configure ] || [ ! -e build-aux/install-sh ] ||
			[ -n "$(find "$source" -newer Makefile.in 2>&1)" ]; then
			autoreconf --install --warnings=all
			return
		fi
	done
}

# build DIRECTORY demo|tests [configure options]
build() {
	directory=$1 target=$2
	shift 2
	say "building in ./$directory"
	mkdir -p "$directory"
	(
		cd "$directory"
		if [ ! -e Makefile ] || [ $new_packages = yes ]; then
			quietly configure.log ../configure "$@" || exit 1
		fi
		quietly make.log make -j"$(jobs)" all || exit 1
		case $target in
		demo) quietly check.log make -j"$(jobs)" smarthost ;;
		tests) quietly check.log make -j"$(jobs)" check TESTS= ;;
		esac
	)
}

# From npm, into the build; the tests that want it are skipped by name without it.
install_openpgpjs() {
	mkdir -p build
	quietly build/openpgpjs.log tests/interop/openpgpjs/install build ||
		say "OpenPGP.js could not be installed from npm, see above"
}

# Installs and builds for the tests; a build that fails is a test that failed.
check() {
	packages="$build_packages $demo_packages $check_packages"
	if installed $mail_server; then
		:
	elif has_mail_server; then
		say "a mail server is installed here already: $mail_server is left out"
	else
		packages="$packages $mail_server"
	fi
	# Node.js from elsewhere brings npm along, and keeps Debian's package of it out.
	command -v npm >/dev/null || packages="$packages nodejs npm"
	# shellcheck disable=SC2086 # a list of words
	install_missing $packages
	mkdir -p build
	quietly build/autoreconf.log make_configure || fail "autoreconf failed, see above"
	if ! build build tests --enable-werror; then
		echo "0 passed, 1 failed, 0 skipped"
		return 1
	fi
	sanitized=no
	[ $# -gt 0 ] || sanitized=yes
	for name in "$@"; do
		case $name in san*) sanitized=yes ;; esac
	done
	if [ $sanitized = yes ]; then
		if ! build build-san tests --enable-werror --enable-sanitizers; then
			echo "0 passed, 1 failed, 0 skipped"
			return 1
		fi
		set -- --san build-san "$@"
	fi
	install_openpgpjs
	say "running the tests"
	python3 tests/run --build build "$@"
}

demo() {
	# shellcheck disable=SC2086 # a list of words
	install_missing $build_packages $demo_packages
	mkdir -p build
	quietly build/autoreconf.log make_configure || fail "autoreconf failed, see above"
	build build demo || fail "the build failed, see above"
	python3 tests/demo --build build
}

case ${1-} in
'') autoreconf --install --warnings=all ;;
check | demo)
	word=$1
	shift
	$word "$@"
	;;
help | -h | --help) usage ;;
*)
	usage >&2
	exit 2
	;;
esac
