/* dewctl: hands its tables and the default configuration over. */
#include "config.h"

#include "dewctl/dewctl.h"

int main(int argc, char **argv)
{
	return dewctl_main(argc, (const char *const *)argv, SYSCONFDIR "/dewline.cfg");
}
