//! The gateway against real sockets, and the walls of the source tree.

mod tidy;

mod http;

mod page;

mod tls;

mod pki;

mod mutual_tls;

mod peer;

mod peers;

mod damaged;

mod drill;

mod promtool;

mod rumqttc_traps;

mod bad_input;

mod bedside;

mod display;

mod hand;

mod site;

mod killable;

mod people;

mod signing_in;

mod state;

mod silence;

mod held_up;

mod delivery;

mod attendance;

mod journal;

mod history;

mod two_paths;

mod units;

mod two_gateways;

mod whole_path;
