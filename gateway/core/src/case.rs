//! What the rules must know of a treatment: pump kind, therapy, weight, flow target. No identity of the patient.

/// What drives the blood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PumpKind {
    /// Flow depends on speed, preload and afterload.
    Centrifugal,
    /// Flow is speed times stroke volume; the pressure behind an obstruction rises without bound.
    Roller,
}

impl PumpKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Centrifugal, Self::Roller];

    /// Stable id, used in profiles and records.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Centrifugal => "centrifugal",
            Self::Roller => "roller",
        }
    }

    /// The kind of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.id() == id)
    }
}

/// Where the blood returns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Therapy {
    /// Veno-arterial: heart and lung are supported.
    VenoArterial,
    /// Veno-venous: the lung is supported.
    VenoVenous,
}

impl Therapy {
    /// Every therapy.
    pub const ALL: [Self; 2] = [Self::VenoArterial, Self::VenoVenous];

    /// Stable id, used in profiles and records.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::VenoArterial => "VA",
            Self::VenoVenous => "VV",
        }
    }

    /// The therapy of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|therapy| therapy.id() == id)
    }
}

/// What the rules know of one treatment; what nobody has entered is `None`, and rules that need it are not evaluable.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Case {
    /// What drives the blood.
    pub pump_kind: Option<PumpKind>,
    /// Where the blood returns to.
    pub therapy: Option<Therapy>,
    /// Dosing weight in kg, 0.3 to 10.
    pub weight_kg: Option<f32>,
    /// Intended blood flow in mL/min.
    pub flow_target: Option<f32>,
    /// Least blood flow that the oxygenator's maker allows, in mL/min.
    pub oxygenator_flow_min: Option<f32>,
    /// Greatest pump speed that the site allows, in rev/min.
    pub speed_max: Option<f32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_leads_back_to_its_word() {
        for kind in PumpKind::ALL {
            assert_eq!(PumpKind::from_id(kind.id()), Some(kind));
        }
        for therapy in Therapy::ALL {
            assert_eq!(Therapy::from_id(therapy.id()), Some(therapy));
        }
        assert_eq!(Therapy::from_id("va"), None);
    }
}
