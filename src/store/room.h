/* The room that a disk has, as SQLite meets it. */
#ifndef DEWLINE_STORE_ROOM_H
#define DEWLINE_STORE_ROOM_H

/* From now on SQLite in this process maps no file for writing before the disk has room for all of the
 * mapped part: without, SQLITE_IOERR_SHMMAP and no SIGBUS. A quota that is used up is SQLITE_FULL.
 * Harmless the second time. Returns a result code of SQLite. */
int room_watch(void);

#endif
