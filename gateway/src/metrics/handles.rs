//! Registers series and keeps their handles: a handle costs nanoseconds, a look-up by name fifteen times more.

use std::marker::PhantomData;

use metrics::{Counter, Gauge, Histogram, Key, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::label::Label;
use super::name::{self, Kind, Name};

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// A label and its value.
pub(super) type Pair = (&'static str, String);

/// One handle for each value of a label.
#[derive(Debug, Clone)]
pub struct By<L, H> {
    handles: Vec<H>,
    label: PhantomData<L>,
}

impl<L: Label, H> By<L, H> {
    pub(super) fn new(make: impl FnMut(L) -> H) -> Self {
        Self { handles: L::ALL.iter().copied().map(make).collect(), label: PhantomData }
    }

    /// The handle of one value.
    ///
    /// # Panics
    /// Never: there is one for each value.
    #[must_use]
    pub fn get(&self, label: L) -> &H {
        self.handles.get(label.index()).expect("a handle was made for every value of the label")
    }
}

/// Makes series; every one starts at 0, so that a rate is right from the first event on.
#[derive(Debug)]
pub(super) struct Registrar {
    // Not the global recorder: several gateways may run in one process.
    recorder: PrometheusRecorder,
}

impl Registrar {
    /// Describes every metric.
    pub(super) fn new() -> Self {
        let mut builder = PrometheusBuilder::new();
        for name in name::ALL {
            if let Kind::Histogram(buckets) = name.kind {
                builder = builder
                    .set_buckets_for_metric(Matcher::Full(name.text.to_owned()), buckets)
                    .expect("the buckets are not empty");
            }
        }
        let recorder = builder.build_recorder();
        for name in name::ALL {
            let (text, help) = (name.text.into(), name.help.into());
            match name.kind {
                Kind::Counter => recorder.describe_counter(text, None, help),
                Kind::Gauge => recorder.describe_gauge(text, None, help),
                Kind::Histogram(_) => recorder.describe_histogram(text, None, help),
            }
        }
        Self { recorder }
    }

    pub(super) fn handle(&self) -> PrometheusHandle {
        self.recorder.handle()
    }

    pub(super) fn counter(&self, name: &Name, labels: &[Pair]) -> Counter {
        debug_assert!(matches!(name.kind, Kind::Counter), "{}", name.text);
        self.recorder.register_counter(&key(name, labels), &METADATA)
    }

    pub(super) fn gauge(&self, name: &Name, labels: &[Pair]) -> Gauge {
        debug_assert!(matches!(name.kind, Kind::Gauge), "{}", name.text);
        self.recorder.register_gauge(&key(name, labels), &METADATA)
    }

    pub(super) fn histogram(&self, name: &Name, labels: &[Pair]) -> Histogram {
        debug_assert!(matches!(name.kind, Kind::Histogram(_)), "{}", name.text);
        self.recorder.register_histogram(&key(name, labels), &METADATA)
    }

    /// A counter for each value of a label, beside fixed labels.
    pub(super) fn counters<L: Label>(&self, name: &Name, fixed: &[Pair]) -> By<L, Counter> {
        By::new(|label| self.counter(name, &with(fixed, label)))
    }

    /// A gauge for each value of a label, beside fixed labels.
    pub(super) fn gauges<L: Label>(&self, name: &Name, fixed: &[Pair]) -> By<L, Gauge> {
        By::new(|label| self.gauge(name, &with(fixed, label)))
    }

    /// A histogram for each value of a label.
    pub(super) fn histograms<L: Label>(&self, name: &Name) -> By<L, Histogram> {
        By::new(|label| self.histogram(name, &with(&[], label)))
    }
}

/// Fixed labels and one more.
pub(super) fn with<L: Label>(fixed: &[Pair], label: L) -> Vec<Pair> {
    let mut labels = fixed.to_vec();
    labels.push((L::KEY, label.label().to_owned()));
    labels
}

fn key(name: &Name, labels: &[Pair]) -> Key {
    let labels: Vec<metrics::Label> =
        labels.iter().map(|(key, value)| metrics::Label::new(*key, value.clone())).collect();
    Key::from_parts(name.text, labels)
}
