//! The harmless things that happen at a bedside every day and must not alarm.

use core::fmt;

macro_rules! disturbances {
    ($($variant:ident: $name:literal, $text:literal;)*) => {
        /// A harmless disturbance.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Disturbance {
            $(#[doc = concat!("`", $name, "`: ", $text, ".")] $variant,)*
        }

        impl Disturbance {
            /// Every disturbance.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in scores.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What happens, in one line.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

disturbances! {
    Suctioning: "suctioning", "the airway is cleared for 10 to 20 s: arterial and venous pressure swing, the heart slows, coughs";
    Coughing: "coughing", "one to four coughs within seconds: the venous pressure spikes, the flow dips for less than a second";
    PositionChange: "position-change", "the patient is turned for good: drainage pressure falls by a few mmHg, the flow by about 5 %";
    SpeedChange: "speed-change", "the nurse sets another speed: 3 to 8 % up or down within two seconds";
    Zeroing: "zeroing", "one pressure transducer is opened to air for 8 to 20 s: it reads 0, flat";
    Flush: "flush", "one pressure transducer is flushed for a second: it reads 300 mmHg";
    Vibration: "vibration", "a transport: all pressures shake between 5 and 20 Hz for minutes";
    SlowClotting: "slow-clotting", "the membrane's resistance grows by 0.5 % an hour and stops at 15 %";
    BloodDraw: "blood-draw", "2 mL of blood are drawn from the drainage line within 10 s and as much fluid is given after";
    Dropout: "dropout", "one sensor says nothing for 0.1 to 0.9 s";
    BedHeight: "bed-height", "the bed is lowered or raised by up to 8 cm for good: drainage pressure shifts, the flow hardly";
    Hiccup: "hiccup", "one sensor shows a single wild sample";
}

impl Disturbance {
    /// How long one lasts when its event does not say; `None`: it stays.
    #[must_use]
    pub const fn usual_seconds(self) -> Option<f64> {
        match self {
            Self::Suctioning => Some(15.0),
            Self::Coughing => Some(5.0),
            Self::Zeroing => Some(14.0),
            Self::Flush => Some(1.0),
            Self::Vibration => Some(240.0),
            Self::BloodDraw => Some(10.0),
            Self::Dropout => Some(0.5),
            Self::Hiccup => Some(0.1),
            Self::PositionChange | Self::SpeedChange | Self::SlowClotting | Self::BedHeight => None,
        }
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
