/* Files that survive a power cut, and files that are read whole. */
#ifndef DEWLINE_BASE_FILE_H
#define DEWLINE_BASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the whole file to `out`. More than the buffer's maximum is an error that says so; nothing
 * is read through a final symbolic link. ERR_MESSAGE and errno ENOENT when there is none. */
int file_read(const char *path, struct buf *out, struct err *err);

/* Creates or replaces `path` so that after a power cut it holds either the former content or all of
 * the new: a temporary file beside it, fsync, rename, fsync of the directory. */
int file_write(const char *path, struct view content, mode_t mode, struct err *err);

/* Whether a name in a directory is that of such a temporary file: what a killed process has left. */
bool file_is_draft(const char *name);

/* The same as file_write without the fsync of the directory (file_sync_dir), and by a temporary file of the
 * caller's, which must not be there yet; on the same file system. */
int file_write_by(const char *temporary, const char *path, struct view content, mode_t mode,
    struct err *err);

/* write(2) until all is written. -1 with errno. */
int file_write_all(int fd, struct view content);

/* Makes a directory with this mode unless it is there. */
int file_make_dir(const char *path, mode_t mode, struct err *err);

/* fsync of a directory, which is what makes a rename or unlink in it last. */
int file_sync_dir(const char *path, struct err *err);

/* Removes a file or a directory with all in it; does not follow symbolic links. No error when there
 * is none. */
int file_remove_tree(const char *path, struct err *err);

#endif
