# The files of src/mail/
