//! What every display does alike: joins the streams of one or two gateways into one picture that is never taken for live when it is not.
