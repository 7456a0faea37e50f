//! What the settings say of this gateway among others: its name, its drill, the gateways beside it.

use std::time::Duration;

use ecmo_proto::topic::Id;
use serde::Deserialize;
use toml::Spanned;

use super::PEERS_MAX;
use super::error::Complaint;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GatewayTable {
    name: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DrillTable {
    every_s: Option<Every>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PeerTable {
    expected: Option<Spanned<Vec<Spanned<String>>>>,
}

/// Off, or from once a second to once an hour.
#[derive(Deserialize)]
#[serde(try_from = "u64")]
struct Every(Duration);

impl TryFrom<u64> for Every {
    type Error = String;

    fn try_from(seconds: u64) -> Result<Self, String> {
        if seconds <= 3_600 {
            return Ok(Self(Duration::from_secs(seconds)));
        }
        Err(format!(
            "{seconds} is impossible for every_s of the drill; choose 1 to 3600, or 0 for none"
        ))
    }
}

/// An id that a ward, a pump or a gateway may have, or what is wrong and what to do.
pub(super) fn id(text: &str) -> Result<Id, (String, &'static str)> {
    let todo = "use 1 to 64 letters, digits, '-', '_' or '.'";
    let id = Id::new(text).map_err(|_no_id| (format!("{text:?} is no id"), todo))?;
    if id.is_reserved() {
        let what = format!("{text:?} begins with '_', and such ids are kept for the system itself");
        return Err((what, "choose a name that begins with a letter or digit"));
    }
    Ok(id)
}

fn spanned_id(text: Spanned<String>) -> Result<Id, Complaint> {
    let span = text.span();
    id(text.get_ref()).map_err(|(what, todo)| Complaint::new(span, what, todo))
}

impl GatewayTable {
    pub(super) fn name(self, default: Id) -> Result<Id, Complaint> {
        self.name.map_or(Ok(default), spanned_id)
    }
}

impl DrillTable {
    pub(super) fn every(self, default: Duration) -> Duration {
        self.every_s.map_or(default, |every| every.0)
    }
}

impl PeerTable {
    /// The gateways that must be there beside the one of this name.
    pub(super) fn expected(self, own: &Id) -> Result<Vec<Id>, Complaint> {
        let Some(read) = self.expected else { return Ok(Vec::new()) };
        let (span, names) = (read.span(), read.into_inner());
        if names.len() > PEERS_MAX {
            let what = format!("{} gateways, at most {PEERS_MAX} stand beside one", names.len());
            return Err(Complaint::new(span, what, "share the wards among units"));
        }
        let mut peers = Vec::with_capacity(names.len());
        for name in names {
            let span = name.span();
            let peer = spanned_id(name)?;
            if peer == *own {
                let what = format!("{peer} is this gateway's own name");
                let todo =
                    "give each gateway its own name under [gateway], and name the others here";
                return Err(Complaint::new(span, what, todo));
            }
            if peers.contains(&peer) {
                let what = format!("gateway {peer} is named twice");
                return Err(Complaint::new(span, what, "remove one"));
            }
            peers.push(peer);
        }
        Ok(peers)
    }
}
