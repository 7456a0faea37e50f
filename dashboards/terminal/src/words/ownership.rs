//! Who looks after a pump, in words.

use crate::age::{GatewayTime, age_text};
use crate::model::{OfferEnd, Ownership};

/// Who looks after a pump, and where it stands; times where `now` is known. Empty when nobody has said anything.
pub(crate) fn ownership_text(ownership: &Ownership, now: Option<GatewayTime>) -> String {
    let mut parts = Vec::new();
    parts.extend(ownership.bed.as_ref().map(|bed| format!("bed {bed}")));
    parts.extend(ownership.owner.clone());
    if let Some(to) = &ownership.offered_to {
        let left = ownership.offer_until.zip(now).map(|(until, now)| now.age_at(until));
        let left = left.map_or_else(String::new, |left| format!(", {} left", age_text(left)));
        parts.push(format!("OFFERED to {to}{left}"));
    }
    if ownership.unanswered {
        parts.push("NOBODY ANSWERED: who takes it?".to_owned());
    }
    parts.join(", ")
}

/// The same for a person who has just said something about it.
pub(crate) fn ownership_line(ownership: &Ownership, now: Option<GatewayTime>) -> String {
    let text = ownership_text(ownership, now);
    let nobody = if ownership.owner.is_none() { "nobody looks after it" } else { "" };
    let last = match ownership.last_offer {
        Some(OfferEnd::Rejected) => "the last offer was rejected",
        Some(OfferEnd::Lapsed) => "nobody answered the last offer in time",
        Some(OfferEnd::Accepted) | None => "",
    };
    let parts = [nobody, &text, last].map(str::to_owned);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_that_is_open_and_one_that_nobody_answered_are_told() {
        let mut ownership = Ownership {
            owner: Some("Ann".to_owned()),
            offered_to: Some("Ben".to_owned()),
            offer_until: Some(GatewayTime(60_000_000_000)),
            bed: Some("4".to_owned()),
            ..Ownership::default()
        };
        let now = Some(GatewayTime(15_000_000_000));
        assert_eq!(ownership_text(&ownership, now), "bed 4, Ann, OFFERED to Ben, 45 s left");
        ownership.offered_to = None;
        ownership.last_offer = Some(OfferEnd::Lapsed);
        ownership.unanswered = true;
        assert_eq!(
            ownership_line(&ownership, None),
            "bed 4, Ann, NOBODY ANSWERED: who takes it?; nobody answered the last offer in time"
        );
        assert_eq!(ownership_line(&Ownership::default(), None), "nobody looks after it");
        assert_eq!(ownership_text(&Ownership::default(), None), "");
    }
}
