# The files of src/mail/
libdewline_a_SOURCES += \
	src/mail/armor.c src/mail/armor.h \
	src/mail/charset.c src/mail/charset.h \
	src/mail/compose.c src/mail/compose.h \
	src/mail/content.c \
	src/mail/csaf.c src/mail/csaf.h \
	src/mail/csaf_text.c src/mail/csaf_text.h \
	src/mail/decode.c src/mail/decode.h \
	src/mail/encode.c src/mail/encode.h \
	src/mail/entity.h \
	src/mail/field.c src/mail/field.h \
	src/mail/html.c src/mail/html.h \
	src/mail/limits.c src/mail/limits.h \
	src/mail/paragraph.c src/mail/paragraph.h \
	src/mail/reader.c src/mail/reader.h \
	src/mail/shape.c src/mail/shape.h \
	src/mail/tree.c src/mail/tree.h
