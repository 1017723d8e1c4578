# The files of src/config/
libdewline_a_SOURCES += \
	src/config/config.c src/config/config.h \
	src/config/secret.c src/config/secret.h \
	src/config/settings.c src/config/settings.h
EXTRA_DIST += conf/dewline.cfg conf/agreement.txt
dist_man_MANS += src/config/dewline.cfg.5

unit_tests += test_config_config
test_config_config_SOURCES = tests/unit/test_config_config.c
test_config_config_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_srcdir)"'
test_config_config_LDADD = $(unit_libs)

unit_tests += test_config_secret
test_config_secret_SOURCES = tests/unit/test_config_secret.c
test_config_secret_LDADD = $(unit_libs)
