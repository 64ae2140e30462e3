/* Peers: rival libraries that `bench` measures against. Each is a shared object that is opened when it is asked for, so
 * that the command needs none of them. */
#ifndef CVK_CLI_PEERS_H
#define CVK_CLI_PEERS_H

#include "cli/session.h"
#include "lab/rivals.h"

/* Finds NAME.so in the folder that the environment's CONVOKE_PEERS names, then in the one that belongs to this command.
 * Anything but CLI_DONE has been explained on stderr. A peer stays open until the process ends: its threads may. */
cli_exit peers_open(const char *name, const peer **to);
/* Those of a list, each once. */
cli_exit peers_open_all(const cli_LIST *names, peer_list *to);

#endif
