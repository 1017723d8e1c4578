#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"

static char directory[] = "/tmp/dl.XXXXXX";

static const char *in_directory(const char *name, char out[static 64])
{
	snprintf(out, 64, "%s/%s", directory, name);
	return out;
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	struct err err;
	return file_remove_tree(directory, &err);
}

static void written_file_is_read_back(void **state)
{
	(void)state;
	char path[64];
	struct err err;
	struct stat about;
	struct buf content = BUF_EMPTY(BUF_SMALL * 4);
	in_directory("a", path);
	assert_int_equal(file_write(path, (struct view){"a\0b", 3}, 0600, &err), 0);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(file_read(path, &content, &err), 0);
	assert_true(view_equals(buf_view(&content), (struct view){"a\0b", 3}));
	buf_clear(&content);
	char *big = malloc(200000);
	memset(big, 'x', 200000);
	assert_int_equal(file_write(path, (struct view){big, 200000}, 0600, &err), 0);
	assert_int_equal(file_read(path, &content, &err), 0);
	assert_true(view_equals(buf_view(&content), (struct view){big, 200000}));
	free(big);
	buf_release(&content);
}

/* I23. */
static void writing_leaves_no_temporary_file_even_when_it_fails(void **state)
{
	(void)state;
	char path[64];
	char temporary[128];
	struct err err;
	in_directory("full", path);
	assert_int_equal(file_make_dir(path, 0700, &err), 0);
	assert_int_equal(file_write(path, VIEW("x"), 0600, &err), -1);
	snprintf(temporary, sizeof temporary, "%s.tmp.%ld", path, (long)getpid());
	assert_int_equal(access(temporary, F_OK), -1);
}

static void file_of_exactly_the_maximum_is_read_and_a_longer_one_refused(void **state)
{
	(void)state;
	char path[64];
	struct err err;
	struct buf content = BUF_EMPTY(10);
	in_directory("limit", path);
	assert_int_equal(file_write(path, VIEW("0123456789"), 0600, &err), 0);
	assert_int_equal(file_read(path, &content, &err), 0);
	assert_int_equal(content.len, 10);
	buf_clear(&content);
	assert_int_equal(file_write(path, VIEW("0123456789x"), 0600, &err), 0);
	assert_int_equal(file_read(path, &content, &err), -1);
	assert_int_equal(err.whom, ERR_MESSAGE);
	assert_non_null(strstr(err.text, "larger than 10 bytes"));
	buf_release(&content);
}

static void missing_file_says_so(void **state)
{
	(void)state;
	char path[64];
	struct err err;
	struct buf content = BUF_EMPTY(10);
	assert_int_equal(file_read(in_directory("missing", path), &content, &err), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(err.whom, ERR_MESSAGE);
	buf_release(&content);
}

static void symbolic_link_is_not_read(void **state)
{
	(void)state;
	char path[64];
	struct err err;
	struct buf content = BUF_EMPTY(BUF_SMALL);
	in_directory("link", path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(file_read(path, &content, &err), -1);
	assert_int_equal(content.len, 0);
	buf_release(&content);
}

static void directory_is_made_once_and_a_file_is_none(void **state)
{
	(void)state;
	char path[64];
	struct err err;
	in_directory("made", path);
	assert_int_equal(file_make_dir(path, 0700, &err), 0);
	assert_int_equal(file_make_dir(path, 0700, &err), 0);
	in_directory("plain", path);
	assert_int_equal(file_write(path, VIEW(""), 0600, &err), 0);
	assert_int_equal(file_make_dir(path, 0700, &err), -1);
}

static void tree_is_removed_without_following_links(void **state)
{
	(void)state;
	char path[64];
	char kept[64];
	struct err err;
	in_directory("kept", kept);
	assert_int_equal(file_make_dir(kept, 0700, &err), 0);
	assert_int_equal(file_write(in_directory("kept/file", path), VIEW("x"), 0600, &err), 0);
	assert_int_equal(file_make_dir(in_directory("tree", path), 0700, &err), 0);
	assert_int_equal(file_make_dir(in_directory("tree/sub", path), 0700, &err), 0);
	assert_int_equal(file_write(in_directory("tree/sub/file", path), VIEW("x"), 0600, &err), 0);
	assert_int_equal(symlink(kept, in_directory("tree/link", path)), 0);
	assert_int_equal(file_remove_tree(in_directory("tree", path), &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(in_directory("kept/file", path), F_OK), 0);
	assert_int_equal(file_remove_tree(in_directory("tree", path), &err), 0);
}

static void lock_is_held_by_one_process_only(void **state)
{
	(void)state;
	char path[64], link[64], holder[LOCK_HOLDER_SIZE], expected[LOCK_HOLDER_SIZE];
	struct err err;
	int status;
	assert_int_equal(mkdir(in_directory("lock", path), 0700), 0);
	assert_int_equal(symlink(path, in_directory("lock-link", link)), 0);
	assert_int_equal(lock_take(path, &err), 0);
	snprintf(expected, sizeof expected, "process %d (", (int)getpid());
	const char *const paths[] = {path, link};
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		const pid_t other = fork();
		if (other == 0) {
			lock_holder(paths[i], holder);
			_exit(!lock_is_held(paths[i]) ? 7
			    : strncmp(holder, expected, strlen(expected)) != 0
				? 8
				: lock_take(paths[i], &err));
		}
		assert_int_equal(waitpid(other, &status, 0), other);
		assert_int_equal(WEXITSTATUS(status), 1);
	}
	assert_int_equal(lock_take("/nonexistent", &err), -1);
	assert_int_equal(lock_take(in_directory("kept", path), &err), 0);
	assert_false(lock_is_held("/nonexistent"));
}

static void digests_follow_the_published_vectors(void **state)
{
	(void)state;
	char hex[DIGEST_HEX_SIZE];
	unsigned char mac[DIGEST_SIZE];
	digest_sha256_hex(VIEW("abc"), hex); /* FIPS 180-2 appendix B.1 */
	assert_string_equal(
	    hex, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD");
	digest_sha256_hex(VIEW(""), hex);
	assert_string_equal(
	    hex, "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855");
	/* RFC 4231 section 4.3 */
	digest_hmac(VIEW("Jefe"), VIEW("what do ya want for nothing?"), mac);
	text_hex(mac, sizeof mac, hex);
	assert_string_equal(
	    hex, "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843");
	assert_true(digest_equal("abc", "abc", 3));
	assert_false(digest_equal("abc", "abd", 3));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(written_file_is_read_back),
	    cmocka_unit_test(writing_leaves_no_temporary_file_even_when_it_fails),
	    cmocka_unit_test(file_of_exactly_the_maximum_is_read_and_a_longer_one_refused),
	    cmocka_unit_test(missing_file_says_so),
	    cmocka_unit_test(symbolic_link_is_not_read),
	    cmocka_unit_test(directory_is_made_once_and_a_file_is_none),
	    cmocka_unit_test(tree_is_removed_without_following_links),
	    cmocka_unit_test(lock_is_held_by_one_process_only),
	    cmocka_unit_test(digests_follow_the_published_vectors),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("base_file", tests, setup, teardown);
}
