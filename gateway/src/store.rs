//! What survives the end of the gateway: the audit log of what people did, and the state of the alarms behind it.

pub mod audit;
