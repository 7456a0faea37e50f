//! Which acknowledgement belongs to which message.
//!
//! The client tells packet ids only as packets leave, in the order in which they were handed over; so the n-th message with
//! an id that leaves is the n-th that was handed over.

/// Acknowledgements of one connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Acks {
    handed: u64,
    left: u64,
    /// Numbers that were handed over and not acknowledged; as many as the caller hands over at once.
    open: Vec<u64>,
    /// Packet ids of those that have left.
    under_way: Vec<(u16, u64)>,
}

impl Acks {
    /// A message that is to be acknowledged was handed to the client; its number.
    pub(super) fn hand(&mut self) -> u64 {
        self.handed += 1;
        self.open.push(self.handed);
        self.handed
    }

    /// A publish packet left; those without acknowledgement have the id 0.
    pub(super) fn left(&mut self, id: u16) {
        if id != 0 {
            self.left += 1;
            self.under_way.push((id, self.left));
        }
    }

    /// A packet was acknowledged.
    pub(super) fn acknowledged(&mut self, id: u16) {
        if let Some(at) = self.under_way.iter().position(|(under_way, _)| *under_way == id) {
            let (_, number) = self.under_way.swap_remove(at);
            self.open.retain(|open| *open != number);
        }
    }

    /// Whether a message was acknowledged.
    pub(super) fn is_done(&self, number: u64) -> bool {
        number <= self.handed && !self.open.contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_acknowledgement_finds_its_message() {
        let mut acks = Acks::default();
        let (birth, status) = (acks.hand(), acks.hand());
        acks.left(1);
        acks.left(0);
        acks.left(2);
        let part = acks.hand();
        acks.acknowledged(3);
        acks.acknowledged(2);
        assert_eq!([birth, status, part].map(|number| acks.is_done(number)), [false, true, false]);
        acks.acknowledged(1);
        acks.left(1);
        assert_eq!([birth, status, part].map(|number| acks.is_done(number)), [true, true, false]);
        acks.acknowledged(1);
        assert!(acks.is_done(part));
        assert!(!acks.is_done(part + 1), "what was not handed over is not done");
        assert!(acks.under_way.is_empty() && acks.open.is_empty());
    }
}
