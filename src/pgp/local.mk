# The files of src/pgp/
