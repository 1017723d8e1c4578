#!/bin/sh
# Makes the configure script; with a word behind it, also installs, builds and runs. See usage.
set -eu
cd "$(dirname "$0")"

# Where releases differ, names stand with | between them: an installed one will do, else the first
# that the release has.
build_packages="autoconf automake pkg-config|pkgconf gcc make libc6-dev libetpan-dev libgpgme-dev
	libconfig-dev libsqlite3-dev libgnutls28-dev nettle-dev libjansson-dev libseccomp-dev"
demo_packages="gnupg gpg-agent python3"
check_packages="clang libclang-rt-dev|libclang-rt-14-dev libcmocka-dev gnutls-bin sqop rnp
	faketime strace debian-keyring sqlite3 binutils procps dovecot-imapd systemd xz-utils
	mutt neomutt thunderbird claws-mail-pgpmime xvfb xdotool e2fsprogs"
mail_server=postfix

usage() {
	cat <<'END'
./autogen.sh                make ./configure (autoreconf)
./autogen.sh check          install what is missing, build, run every test
./autogen.sh check NAME...  the same for the tests with these names, or whose names hold NAME
./autogen.sh demo           install what is missing, build, and show the main job on loopback
./autogen.sh help           this

Installing is done with apt-get, as root or through sudo, after saying what; where nothing is
missing apt is not called. check builds in ./build and, with clang's sanitizers and libFuzzer, in
./build-clang; what apt-get, configure and make say stands in *.log there.
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

# Is one of the names in $1, which have | between them, a word of the text $2?
one_of() {
	rest="$1|"
	while [ -n "$rest" ]; do
		case " $2 " in *" ${rest%%"|"*} "*) return 0 ;; esac
		rest=${rest#*"|"}
	done
	return 1
}

# Those of the packages named, each a word with | in it or none, that are not installed.
missing() {
	# shellcheck disable=SC2046 # a list of words
	there=$(dpkg-query -W -f='${db:Status-Status}=${Package}\n' $(echo "$*" | tr '|' ' ') \
		2>/dev/null | sed -n 's/^installed=//p' | tr '\n' ' ')
	for word in "$@"; do
		one_of "$word" "$there" || printf '%s ' "$word"
	done
}

# Has the release package $1?
available() {
	case $(apt-cache policy "$1" 2>/dev/null) in
	*'Candidate: (none)'* | '') return 1 ;;
	esac
}

# The first name of each word that the release has; where it has none, the first: apt-get says so.
choose() {
	for word in "$@"; do
		chosen=${word%%"|"*}
		for name in $(echo "$word" | tr '|' ' '); do
			if available "$name"; then
				chosen=$name
				break
			fi
		done
		printf '%s ' "$chosen"
	done
}

# What is there of the packages named, with the versions: when it differs, configure must look
# again, also when a run before this one installed it and came no further.
versions() {
	# shellcheck disable=SC2046 # a list of words
	dpkg-query -W -f='${db:Status-Status} ${Package} ${Version}\n' $(echo "$*" | tr '|' ' ') \
		2>/dev/null || true
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
# as apt-get runs, and where the machine has one of its own that one stays. It names the services
# that are to stay off, for a run that comes after one which was killed.
policy=/usr/sbin/policy-rc.d
policy_mark="# Of an apt-get run by dewline, which removes it. Services:"
services= # those that this run must leave disabled

forbid_services() {
	trap 'end_installing' EXIT
	trap 'exit 130' INT TERM HUP
	[ ! -e "$policy" ] || return 0
	printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark $services" |
		as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
}

# Whether apt-get came to its end or not: a server installed for the tests neither runs now nor
# after the next boot.
end_installing() {
	for service in $services; do
		if command -v systemctl >/dev/null; then
			as_root systemctl disable --now "$service" >/dev/null 2>&1 || true
		elif command -v update-rc.d >/dev/null; then
			as_root update-rc.d "${service%.socket}" disable >/dev/null 2>&1 || true
		fi
	done
	services=
	if grep -q "^$policy_mark" "$policy" 2>/dev/null; then
		as_root rm -f "$policy"
	fi
}

# What a run that was killed has left.
finish_former_run() {
	grep -q "^$policy_mark" "$policy" 2>/dev/null || return 0
	say "finishing what an interrupted run began"
	services=$(sed -n "s/^$policy_mark//p" "$policy")
	end_installing
}

# Runs apt-get, which asks nothing and waits for others that are at it.
apt() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
		-o DPkg::Lock::Timeout=300 "$@"
}

# Installs the packages named, after finishing what was left half done.
install() {
	if [ -n "$(dpkg --audit)" ]; then
		as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a
	fi
	case " $services " in
	*" postfix "*)
		# An answer given before the question: no configuration, so nothing that could run.
		echo "postfix postfix/main_mailer_type select No configuration" |
			as_root debconf-set-selections
		;;
	esac
	apt install --fix-broken --no-install-recommends "$@"
}

# Installs what is missing of the packages named.
install_missing() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		say "this is no Debian: these packages, or what matches them here, should be there:" "$@"
		return 0
	fi
	finish_former_run
	wanted=$(missing "$@")
	[ -n "$wanted" ] || return 0
	# shellcheck disable=SC2086 # a list of words, here and below
	set -- $wanted
	say "$# packages are missing: $(echo "$*" | sed 's/|[^ ]*//g')"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || fail "not root and no sudo; as root:" \
			"apt-get install --no-install-recommends $(choose "$@")"
		say "installing them as root, through sudo"
		sudo true || fail "sudo refuses"
	fi
	case " $* " in *" postfix "*) services="postfix" ;; esac
	case " $* " in *" dovecot-imapd "*) services="$services dovecot.socket dovecot" ;; esac
	mkdir -p build
	forbid_services
	quietly build/update.log "asking apt-get for what there is" apt update ||
		fail "apt-get update failed, see above"
	# shellcheck disable=SC2046
	set -- $(choose "$@")
	quietly build/install.log "installing $# packages and what they need (a minute or more)" \
		install "$@" || fail "apt-get install failed, see above"
	end_installing
}

# Tells how long log $1 has been written to, and its last line, every some seconds; not longer than
# this script lives, whatever ends it.
tick() {
	seconds=0
	while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		seconds=$((seconds + 1))
		[ $((seconds % 15)) != 0 ] ||
			printf '   %4d s: %.85s\n' $seconds "$(tail -n 1 "$1" 2>/dev/null)"
	done
}

# quietly LOG WHAT COMMAND...: says what is done and how long it took, with a line now and then
# meanwhile. The output goes to the log, whose end is shown when the command fails.
quietly() {
	log=$1 what=$2 began=$(date +%s) result=0
	shift 2
	say "$what"
	tick "$log" &
	ticker=$!
	"$@" >"$log" 2>&1 </dev/null || result=$?
	kill $ticker 2>/dev/null || true
	wait $ticker 2>/dev/null || true
	if [ $result != 0 ]; then
		tail -n 60 "$log"
		say "that is the end of $log"
		return 1
	fi
	say "done in $(($(date +%s) - began)) s"
}

jobs() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

make_configure() {
	# Made anew only when its sources are newer: a clone that others use stays as it is.
	for source in configure.ac Makefile.am src/*/local.mk tests/local.mk; do
		if [ ! -e configure ] || [ ! -e build-aux/install-sh ] ||
			[ -n "$(find "$source" -newer Makefile.in 2>&1)" ]; then
			quietly build/autoreconf.log "making ./configure" \
				autoreconf --install --warnings=all
			return
		fi
	done
}

run_configure() (
	cd "$1"
	shift
	../configure "$@"
)

# In directory $1: configure with the options behind it, where it has not been run so with the
# packages that are installed now; without options any run with these will do.
configure_in() {
	directory=$1
	shift
	# shellcheck disable=SC2086 # a list of words
	now=$(versions $build_packages $demo_packages $check_packages)
	if [ -e "$directory/Makefile" ] && [ -e "$directory/configured" ] &&
		[ "$(sed 1d "$directory/configured")" = "$now" ] &&
		{ [ $# = 0 ] || [ "$(sed 1q "$directory/configured")" = "$*" ]; }; then
		return 0
	fi
	rm -f "$directory/configured"
	quietly "$directory/configure.log" "configuring ./$directory" \
		run_configure "$directory" "$@" || return 1
	printf '%s\n%s\n' "$*" "$now" >"$directory/configured"
}

# build DIRECTORY demo|tests [configure options]
build() {
	directory=$1 target=$2
	shift 2
	mkdir -p "$directory"
	configure_in "$directory" "$@" || return 1
	quietly "$directory/make.log" "building in ./$directory (a minute or some)" \
		make -C "$directory" -j"$(jobs)" all || return 1
	case $target in
	demo) quietly "$directory/check.log" "building the smarthost of the demo" \
		make -C "$directory" -j"$(jobs)" smarthost ;;
	tests) quietly "$directory/check.log" "building the tests" \
		make -C "$directory" -j"$(jobs)" check TESTS= ;;
	esac
}

# From npm, into the build; the tests that want it are skipped by name without it.
install_openpgpjs() {
	mkdir -p build
	quietly build/openpgpjs.log "installing OpenPGP.js from npm" tests/interop/openpgpjs/install build ||
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
	# Before anything is installed and built for a name that no test has.
	if command -v python3 >/dev/null; then
		python3 tests/run --known "$@" || exit 2
	fi
	# shellcheck disable=SC2086 # a list of words
	install_missing $packages
	python3 tests/run --known "$@" || exit 2
	mkdir -p build
	make_configure || fail "autoreconf failed, see above"
	if ! build build tests --enable-werror; then
		echo "0 passed, 1 failed, 0 skipped"
		return 1
	fi
	sanitized=no
	[ $# -gt 0 ] || sanitized=yes
	for name in "$@"; do
		case $name in san*) sanitized=yes ;; esac
	done
	if [ $sanitized = yes ] && command -v clang >/dev/null; then
		if ! build build-clang tests CC=clang --enable-werror --enable-fuzzing; then
			echo "0 passed, 1 failed, 0 skipped"
			return 1
		fi
		set -- --san build-clang "$@"
	fi
	install_openpgpjs
	say "running the tests"
	python3 tests/run --build build --since "$started" "$@"
}

demo() {
	# shellcheck disable=SC2086 # a list of words
	install_missing $build_packages $demo_packages
	mkdir -p build
	make_configure || fail "autoreconf failed, see above"
	build build demo || fail "the build failed, see above"
	python3 tests/demo --build build
	say "$(($(date +%s) - started)) seconds from the first line to here"
}

started=$(date +%s)
case ${1-} in
'')
	command -v autoreconf >/dev/null ||
		fail "autoreconf is missing: install autoconf and automake, or let ./autogen.sh demo do it"
	autoreconf --install --warnings=all
	;;
check | demo)
	word=$1
	shift
	$word "$@"
	;;
help | -h | --help) usage ;;
*) fail "there is no '$1'; ./autogen.sh help lists what there is" ;;
esac
