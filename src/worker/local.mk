# The files of src/worker/
