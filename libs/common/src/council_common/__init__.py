"""What every service of Council Payments shares. It never knows an invoice."""
