//! Who looks after which pump: accept, hand over, reject, bed.

use ecmo_proto::v1 as wire;
use wire::ownership_service_client::OwnershipServiceClient;

use super::{ClientError, Gateway, Link};
use crate::convert;
use crate::model::{Ownership, PumpName};

/// What a person says about who looks after a pump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnAct {
    /// "I take it."
    Accept,
    /// "You take it, please."
    HandOver(String),
    /// "Not I."
    Reject,
    /// "It stands there."
    Bed(String),
}

impl Gateway {
    fn owners_client(channel: Link) -> OwnershipServiceClient<Link> {
        OwnershipServiceClient::new(channel)
    }

    /// Says it; who looks after the pump afterwards, and whether that survives a restart of the gateway.
    pub(crate) async fn own(
        &self,
        name: PumpName,
        act: OwnAct,
        by: &str,
    ) -> Result<(Ownership, bool), ClientError> {
        let mut client = Self::owners_client(self.channel.clone());
        let (PumpName { ward, pump }, by) = (name, by.to_owned());
        let (ownership, durable) = match act {
            OwnAct::Accept => {
                let request = wire::AcceptPumpRequest { ward, pump, by };
                let answer = self.changed("accept pump", client.accept_pump(request)).await?;
                (answer.ownership, answer.durable)
            }
            OwnAct::HandOver(to) => {
                let request = wire::HandOverPumpRequest { ward, pump, by, to };
                let answer = self.changed("hand pump over", client.hand_over_pump(request)).await?;
                (answer.ownership, answer.durable)
            }
            OwnAct::Reject => {
                let request = wire::RejectPumpRequest { ward, pump, by };
                let answer = self.changed("reject pump", client.reject_pump(request)).await?;
                (answer.ownership, answer.durable)
            }
            OwnAct::Bed(bed) => {
                let request = wire::AssignBedRequest { ward, pump, bed, by };
                let answer = self.changed("assign bed", client.assign_bed(request)).await?;
                (answer.ownership, answer.durable)
            }
        };
        Ok((convert::ownership(ownership.unwrap_or_default()), durable))
    }
}
