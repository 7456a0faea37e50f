//! The agent from its sensors to a real broker.

mod defects;

mod emtec;

mod lifecycle;

mod mosquitto;

mod program;

mod replay;

mod stream;

mod ward;
