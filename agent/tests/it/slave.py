"""A Modbus slave that was not written here: pymodbus, with registers of the tests' choice.

Usage: slave.py tcp PORT | slave.py rtu PATH
"""

import asyncio
import sys

from pymodbus.datastore import (
    ModbusDeviceContext,
    ModbusServerContext,
    ModbusSparseDataBlock,
)
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

# Holding: status, flow, drain pressure (negative), 32 bits in both orders, a float.
HOLDING = [1, 350, 0xFFD3, 0x0001, 0x86A0, 0x7960, 0xFFFE, 0x42F6, 0xE979]
INPUT = [777, 778]


def block(values):
    return ModbusSparseDataBlock({address: value for address, value in enumerate(values)})


async def main():
    device = ModbusDeviceContext(
        di=block([1, 0, 1]), co=block([0, 1]), hr=block(HOLDING), ir=block(INPUT)
    )
    context = ModbusServerContext(devices={1: device}, single=False)
    kind, where = sys.argv[1:3]
    if kind == "tcp":
        await StartAsyncTcpServer(context, address=("127.0.0.1", int(where)))
    else:
        await StartAsyncSerialServer(context, port=where, baudrate=19200, parity="N")


asyncio.run(main())
