#pragma once
/* spy: until SIGTERM tries what every other process of the container lets it see; a line each */
int attack_spy(char **words);
/* socket TYPE FAMILY..., socket32 likewise: "open" or the name of the error, a line each */
int attack_socket(char **words);
int attack_socket32(char **words);
