# The files of src/worker/
libdewline_a_SOURCES += \
	src/worker/frame.c src/worker/frame.h \
	src/worker/link.c src/worker/link.h \
	src/worker/loop.c src/worker/loop.h \
	src/worker/packet.c src/worker/packet.h \
	src/worker/pool.c src/worker/pool.h \
	src/worker/pulse.c src/worker/pulse.h \
	src/worker/sandbox.c src/worker/sandbox.h \
	src/worker/sandbox_calls.c \
	src/worker/sandbox_landlock.c \
	src/worker/sandbox_parts.h \
	src/worker/remote.c src/worker/remote.h \
	src/worker/serve.c \
	src/worker/spawn.c src/worker/spawn.h \
	src/worker/starter.c

unit_tests += test_worker_frame test_worker_loop test_worker_pool test_worker_spawn
if SANDBOXED
unit_tests += test_worker_sandbox
endif
test_worker_frame_SOURCES = tests/unit/test_worker_frame.c
test_worker_frame_LDADD = $(unit_libs)
test_worker_loop_SOURCES = tests/unit/test_worker_loop.c
test_worker_loop_LDADD = $(unit_libs)
test_worker_pool_SOURCES = tests/unit/test_worker_pool.c
test_worker_pool_LDADD = $(unit_libs)
test_worker_sandbox_SOURCES = tests/unit/test_worker_sandbox.c
test_worker_sandbox_LDADD = $(unit_libs)
test_worker_spawn_SOURCES = tests/unit/test_worker_spawn.c
test_worker_spawn_LDADD = $(unit_libs)

unit_tests += test_worker_pulse
test_worker_pulse_SOURCES = tests/unit/test_worker_pulse.c
test_worker_pulse_LDADD = $(unit_libs)
unit_tests += test_worker_link
test_worker_link_SOURCES = tests/unit/test_worker_link.c
test_worker_link_LDADD = $(unit_libs)
