//! Faults that are planted in the simulation on purpose, one for each thing that it checks: a check that cannot fail is none.

use crate::invariant::Invariant;

macro_rules! breaks {
    ($($variant:ident: $name:literal, $caught_by:ident, $what:literal;)*) => {
        /// A planted fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Break {
            $(#[doc = $what] $variant,)*
        }

        impl Break {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name for `--break`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What must notice it.
            #[must_use]
            pub const fn caught_by(self) -> Invariant {
                match self { $(Self::$variant => Invariant::$caught_by,)* }
            }

            /// What it does.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }
        }
    };
}

breaks! {
    AlarmNotSent: "alarm-not-sent", Told, "The gateway keeps every raised alarm of a limit to itself.";
    LinkLossNotTold: "link-loss-not-told", Told, "The display takes every link for live, whatever stays away.";
    FrozenDataFresh: "frozen-data-fresh", Fresh, "The gateway stamps an old reading with the time of its view.";
    AgeTrusted: "age-trusted", Fresh, "The gateway takes every age for proven, and hears no answer of an agent that says better.";
    WrongPump: "wrong-pump", Own, "The gateway now and then hands a frame of one pump to the next one.";
    NoOrder: "no-order", Ordered, "Frames are taken as they come: repeated, reordered, with gaps that nobody tells.";
    IdByArrival: "id-by-arrival", Alike, "A gateway names an alarm by the time at which it was decided.";
    QueueUnbounded: "queue-unbounded", Bounded, "An agent keeps in its queue what it has sent, without a bound.";
    ActionsForgotten: "actions-forgotten", Kept, "A gateway that starts anew forgets what people have done.";
    ActionInvented: "action-invented", Kept, "A gateway shows an alarm as acknowledged that nobody acknowledged.";
    MissingNotCounted: "missing-not-counted", Counted, "Frames that never came are not counted.";
    LeaseForged: "lease-forged", Quiet, "A gateway gives leases for data that it has not judged.";
    UnheardIsQuiet: "unheard-is-quiet", Quiet, "A gateway gives leases although nobody was shown a high alarm of the pump.";
}

impl Break {
    /// The planted fault of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|planted| planted.name() == name)
    }
}
