# The files of src/rules/
libdewline_a_SOURCES += \
	src/rules/advisory.c src/rules/advisory.h \
	src/rules/audience.c src/rules/audience.h \
	src/rules/control.c src/rules/control.h \
	src/rules/reach.c src/rules/reach.h \
	src/rules/reply.c src/rules/reply.h \
	src/rules/retry.c src/rules/retry.h \
	src/rules/signature.c src/rules/signature.h \
	src/rules/tlp.c src/rules/tlp.h
