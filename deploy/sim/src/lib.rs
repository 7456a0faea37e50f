//! Agents, brokers, gateways and displays as state machines under one seed.
