//! The gateway against real sockets, and the walls of the source tree.

mod tidy;

mod http;

mod peer;

mod promtool;

mod rumqttc_traps;
