libdewline_a_SOURCES += \
	src/report/json.c \
	src/report/print.h \
	src/report/table.c src/report/table.h \
	src/report/text.c

unit_tests += test_report_table
test_report_table_SOURCES = tests/unit/test_report_table.c
test_report_table_LDADD = $(unit_libs)
