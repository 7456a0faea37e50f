//! What the display knows of pumps, alarms and treatments: checked types, free of the wire and of drawing.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $id:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Stable id, for programs.
            pub(crate) const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }
        }

        /// An id as a person types it: in any case, with `-` or `_`.
        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let typed = text.replace('-', "_");
                let known = || Self::ALL.iter().filter(|each| each.id() != "unknown");
                let found = known().find(|each| each.id().eq_ignore_ascii_case(&typed));
                let ids = || known().map(|each| each.id()).collect::<Vec<_>>().join(", ");
                found.copied().ok_or_else(|| format!("use one of {}", ids()))
            }
        }

        /// The id in words, for people.
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.id().replace('_', " "))
            }
        }
    };
}

mod alarm;

mod agent;

mod pump;

mod past;

mod treatment;

mod watcher;

pub(crate) use agent::*;
pub(crate) use alarm::*;
pub(crate) use past::*;
pub(crate) use pump::*;
pub(crate) use treatment::*;
pub(crate) use watcher::*;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_is_found_by_its_id_and_unknown_is_none() {
        assert_eq!("clamp-trial".parse(), Ok(ContextKind::ClampTrial));
        assert_eq!("Circuit_Change".parse(), Ok(ContextKind::CircuitChange));
        assert_eq!("va".parse(), Ok(Therapy::VenoArterial));
        assert_eq!("unknown".parse::<Therapy>(), Err("use one of VA, VV".to_owned()));
        let name = PumpName { ward: "nicu".to_owned(), pump: "pump-1".to_owned() };
        assert_eq!("nicu/pump-1".parse(), Ok(name));
        for bad in ["pump-1", "nicu/", "/pump-1", "a/b/c", ""] {
            assert!(bad.parse::<PumpName>().is_err(), "{bad}");
        }
    }
}
