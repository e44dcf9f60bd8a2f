// SPDX-License-Identifier: BSD-3-Clause
module bench

go 1.19
