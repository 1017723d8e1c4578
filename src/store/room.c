#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/room.h"

/* SQLite writes one byte of each 4 KiB of the write-ahead log's index (store.db-shm) before it maps it. On
 * a file system with smaller blocks the rest is holes, and a hole that is written through the mapping
 * while the disk is full ends the process with SIGBUS. Where nothing can be reserved it stays so. */
static void *map_reserved(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	int reserved = 0;
	if ((prot & PROT_WRITE) != 0 && fd >= 0) {
		do
			reserved = fallocate(fd, 0, offset, (off_t)len);
		while (reserved != 0 && errno == EINTR);
	}
	if (reserved != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
		return MAP_FAILED;
	return mmap(at, len, prot, flags, fd, offset);
}

/* A quota that is used up is a full disk, and no disk that fails, for which SQLite takes it. */
static ssize_t with_quota(ssize_t result)
{
	if (result < 0 && errno == EDQUOT)
		errno = ENOSPC;
	return result;
}

static ssize_t write_here(int fd, const void *data, size_t len)
{
	return with_quota(write(fd, data, len));
}

static ssize_t write_at(int fd, const void *data, size_t len, off_t offset)
{
	return with_quota(pwrite(fd, data, len, offset));
}

int room_watch(void)
{
	const struct {
		const char *name;
		sqlite3_syscall_ptr call;
	} calls[] = {
	    {"mmap", (sqlite3_syscall_ptr)map_reserved},
	    {"write", (sqlite3_syscall_ptr)write_here},
	    {"pwrite", (sqlite3_syscall_ptr)write_at},
	    {"pwrite64", (sqlite3_syscall_ptr)write_at},
	};
	sqlite3_vfs *files = sqlite3_vfs_find("unix");
	int code = files == NULL ? SQLITE_ERROR : SQLITE_OK;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0] && code == SQLITE_OK; i++)
		code = files->xSetSystemCall(files, calls[i].name, calls[i].call);
	return code;
}
