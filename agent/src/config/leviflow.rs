//! The settings of a Levitronix LeviFlow flow meter: a Modbus source whose map is known.
//!
//! UNREVIEWED. The map follows a public reader of the device, which names the registers, the scale of flow and temperature
//! (0.01) and the status bits, but not every unit. What it does not say is a setting here; the site compares each value with
//! the device's own display before it relies on it.

use ecmo_core::parameter::Parameter;
use ecmo_core::reading::NoData;
use serde::Deserialize;

use super::modbus::{
    ModbusChannel, ModbusError, ModbusSettings, Number, Place, RegisterTable, Status,
};
use super::number::{ModbusRate, TimeoutMillis};
use super::port::{DataBits, LineSettings, Parity, PortAddress, StopBits};
use super::scaling::{Scaling, ScalingKeys};

/// Registers of the device.
const STATUS: u16 = 0;
const FLOW: u16 = 1;
const TEMPERATURE: u16 = 6;
const SIGNAL: u16 = 8;

/// Bits of the status register. Reverse flow (2) needs no flag: the flow is negative. High and low flow (8, 9) are the
/// device's own limits, and limits are the rules' business.
const BUBBLE: u8 = 0;
const MEASUREMENT_ERROR: u8 = 1;

/// A LeviFlow on a serial line or behind a terminal server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "LeviflowKeys")]
pub struct LeviflowSettings(pub ModbusSettings);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeviflowKeys {
    #[serde(deserialize_with = "super::from_text")]
    link: PortAddress,
    #[serde(default = "first")]
    unit: u8,
    #[serde(default = "ten")]
    rate_hz: ModbusRate,
    timeout_ms: Option<TimeoutMillis>,
    #[serde(default = "holding")]
    function: RegisterTable,
    #[serde(default = "litres")]
    flow_unit: String,
    gain: Option<f64>,
    zero: Option<f64>,
    flow_range: Option<[f64; 2]>,
    /// The channel of the bubble bit: `air.bubble` or `air.venous`; nothing: no channel.
    bubble: Option<String>,
    /// The channel of the liquid's temperature; nothing: no channel.
    temperature: Option<String>,
}

const fn first() -> u8 {
    1
}

fn ten() -> ModbusRate {
    ModbusRate::try_from(10.0).expect("10 is in the range of the rate")
}

const fn holding() -> RegisterTable {
    RegisterTable::Holding
}

fn litres() -> String {
    "L/min".to_owned()
}

impl TryFrom<LeviflowKeys> for LeviflowSettings {
    type Error = ModbusError;

    fn try_from(keys: LeviflowKeys) -> Result<Self, ModbusError> {
        let default_timeout = core::time::Duration::from_millis(250);
        let mut channels = vec![
            flow(&keys)?,
            channel(Parameter::FlowAcousticQuality, &keys, SIGNAL, Number::U16, None)?,
        ];
        if let Some(id) = &keys.temperature {
            let parameter =
                among(id, &[Parameter::TempReturn, Parameter::TempDrain], "temperature")?;
            let mut channel = channel(parameter, &keys, TEMPERATURE, Number::I16, Some(0.01))?;
            channel.status.push(error_bit(keys.function));
            channels.push(channel);
        }
        if let Some(id) = &keys.bubble {
            let parameter = among(id, &[Parameter::AirBubble, Parameter::AirVenous], "bubble")?;
            let mut channel = channel(parameter, &keys, STATUS, Number::Bit(BUBBLE), None)?;
            channel.on_change = true;
            channels.push(channel);
        }
        if !(1..=247).contains(&keys.unit) {
            return Err(ModbusError::Unit(keys.unit));
        }
        if keys.function.is_bits() {
            let problem = "function of a LeviFlow is \"holding\" or \"input\"";
            return Err(ModbusError::Number { parameter: "flow.blood", problem });
        }
        Ok(Self(ModbusSettings {
            link: keys.link,
            line: LineSettings {
                baud: 57_600,
                data_bits: DataBits::Eight,
                parity: Parity::Even,
                stop_bits: StopBits::One,
            },
            unit: keys.unit,
            rate_hz: keys.rate_hz.get(),
            timeout: keys.timeout_ms.map_or(default_timeout, TimeoutMillis::duration),
            // Status to signal strength come in one answer: a flow and the status that judges it are of one moment.
            gap: SIGNAL,
            channels,
        }))
    }
}

/// The flow, which the status judges: no value on an error, a doubted one while a bubble passes.
fn flow(keys: &LeviflowKeys) -> Result<ModbusChannel, ModbusError> {
    let scaling = Scaling::new(
        Parameter::FlowBlood,
        &ScalingKeys {
            scale: Some(0.01),
            offset: None,
            unit: Some(&keys.flow_unit),
            gain: keys.gain,
            zero: keys.zero,
            range: keys.flow_range,
        },
    )?;
    let bubble = Status { bit: BUBBLE, means: None, ..error_bit(keys.function) };
    let status = vec![error_bit(keys.function), bubble];
    let place = Place { table: keys.function, register: FLOW };
    Ok(ModbusChannel {
        parameter: Parameter::FlowBlood,
        place,
        number: Number::I16,
        scaling,
        invalid: Vec::new(),
        status,
        on_change: false,
    })
}

const fn error_bit(table: RegisterTable) -> Status {
    Status {
        place: Place { table, register: STATUS },
        bit: MEASUREMENT_ERROR,
        when: true,
        means: Some(NoData::SensorFault),
    }
}

fn channel(
    parameter: Parameter,
    keys: &LeviflowKeys,
    register: u16,
    number: Number,
    scale: Option<f64>,
) -> Result<ModbusChannel, ModbusError> {
    let scaling_keys =
        ScalingKeys { scale, offset: None, unit: None, gain: None, zero: None, range: None };
    Ok(ModbusChannel {
        parameter,
        place: Place { table: keys.function, register },
        number,
        scaling: Scaling::new(parameter, &scaling_keys)?,
        invalid: Vec::new(),
        status: Vec::new(),
        on_change: false,
    })
}

fn among(id: &str, choice: &[Parameter], key: &'static str) -> Result<Parameter, ModbusError> {
    let found = choice.iter().copied().find(|parameter| parameter.info().id == id);
    found.ok_or_else(|| {
        let ids: Vec<_> = choice.iter().map(|parameter| parameter.info().id).collect();
        ModbusError::Status { parameter: key, problem: format!("use {}", ids.join(" or ")) }
    })
}
