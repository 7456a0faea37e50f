//! Pump stop without its speed (C1, second half): no flow, no pressure drop, no head.

/// When a pump counts as not moving blood. Numbers of the reference, section 2.4 C1, proposals there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoFlow {
    /// Flow below this is none, in mL/min.
    pub flow_min: f32,
    /// So is flow below this share of its median over 60 s.
    pub flow_share: f32,
    /// Pressure drop over the membrane below this is none, in mmHg.
    pub delta_max: f32,
    /// Pump head below this share of its median over 60 s is none.
    pub head_share: f32,
}

impl Default for NoFlow {
    fn default() -> Self {
        Self { flow_min: 20.0, flow_share: 0.1, delta_max: 3.0, head_share: 0.2 }
    }
}
