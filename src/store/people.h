/* Members, contacts, publishers, groups. */
#ifndef DEWLINE_STORE_PEOPLE_H
#define DEWLINE_STORE_PEOPLE_H

#include "pgp/certificate.h"
#include "store/store.h"

struct member {
	char id[STORE_ID_SIZE]; /* lower-case letters, digits, hyphens: "us-de" */
	char name[STORE_NAME_SIZE];
	char kind[STORE_ID_SIZE]; /* national, local, other */
	char parent[STORE_ID_SIZE]; /* a member, or "" */
	char state[STORE_ID_SIZE];
	int64_t added_at;
};
typedef int member_fn(void *context, const struct member *member, struct err *err);

/* *added is false where the id is taken. The state is `active`. */
int store_member_add(struct store *, const struct member *, bool *added, struct err *);
/* The same in the state `invited`; one that left is invited anew, under this name and parent. */
int store_member_invite(struct store *, const struct member *, bool *added, struct err *);
int store_member_get(struct store *, const char *id, struct member *, bool *found, struct err *);
int store_member_each(struct store *, member_fn *, void *context, struct err *);
/* By an event of state.h; *moved is false where the table forbids it. */
int store_member_move(struct store *, const char *id, const char *event, bool *moved, struct err *);

struct contact {
	int64_t id; /* given by the store */
	char member[STORE_ID_SIZE];
	char address[STORE_ADDRESS_SIZE];
	char name[STORE_NAME_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	char clearance[STORE_ID_SIZE]; /* highest TLP label: "AMBER+STRICT" */
	int64_t rank; /* 1 is the primary, then backups */
	bool removed; /* kept for the record, in no audience */
	int64_t added_at;
};
typedef int contact_fn(void *context, const struct contact *contact, struct err *err);

/* *added is false where a contact with this address, or this certificate, is there already and not
 * removed. contact->id is filled. */
int store_contact_add(struct store *, struct contact *, bool *added, struct err *);
int store_contact_get(struct store *, int64_t id, struct contact *, bool *found, struct err *);
/* Those that are not removed: by address (ASCII case ignored), and by pinned certificate. */
int store_contact_by_address(
    struct store *, const char *address, struct contact *, bool *found, struct err *);
int store_contact_by_fingerprint(
    struct store *, const char *fingerprint, struct contact *, bool *found, struct err *);
/* All that are not removed, of one member or (NULL) of all, by member, rank and id. */
int store_contact_each(
    struct store *, const char *member, contact_fn *, void *context, struct err *);
int store_contact_remove(struct store *, int64_t id, struct err *);

struct publisher {
	int64_t id;
	char address[STORE_ADDRESS_SIZE];
	char name[STORE_NAME_SIZE];
	char fingerprint[FINGERPRINT_SIZE];
	bool admin; /* gets alarms, and has no right to publish */
	bool removed;
	int64_t added_at;
};
typedef int publisher_fn(void *context, const struct publisher *publisher, struct err *err);

/* An admin is kept as a publisher is, with `admin` set: mail goes to both in the same way. Whoever
 * asks for a publisher by address or certificate, or for all of them, never gets an admin. */
int store_publisher_add(struct store *, struct publisher *, bool *added, struct err *);
int store_publisher_get(struct store *, int64_t id, struct publisher *, bool *found, struct err *);
int store_publisher_by_address(
    struct store *, const char *address, struct publisher *, bool *found, struct err *);
int store_publisher_by_fingerprint(
    struct store *, const char *fingerprint, struct publisher *, bool *found, struct err *);
int store_publisher_each(struct store *, publisher_fn *, void *context, struct err *);
int store_admin_by_address(
    struct store *, const char *address, struct publisher *, bool *found, struct err *);
int store_admin_by_fingerprint(
    struct store *, const char *fingerprint, struct publisher *, bool *found, struct err *);
int store_admin_each(struct store *, publisher_fn *, void *context, struct err *);
/* A publisher or an admin. */
int store_publisher_remove(struct store *, int64_t id, struct err *);

/* A group names members and single contacts (by address). */
typedef int group_fn(
    void *context, const char *group, const char *entry, bool is_contact, struct err *err);
/* Adds one entry, making the group with the first. `entry` is a member id or a contact's address; *known is
 * false where no such one exists, *added where it was in the group before. */
int store_group_add(struct store *, const char *group, const char *entry, bool *known, bool *added,
    struct err *);
int store_group_remove(struct store *, const char *group, bool *found, struct err *);
/* Every entry of every group, or of one (not NULL). */
int store_group_each(struct store *, const char *group, group_fn *, void *context, struct err *);

#endif
